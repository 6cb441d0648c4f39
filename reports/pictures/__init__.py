"""Drawings of answers: albums of cases, each solved, certified and drawn."""
