"""The machine and its processes: process trees and their limits, locks, what the machine is and does, git and builds of commits."""
