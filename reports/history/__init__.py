"""The page of a history: its data, and its drawing."""
