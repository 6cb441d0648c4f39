look_up: object
INSTRUCTION_SETS: tuple[str, ...]

def up_to(isa: str) -> tuple[str, ...]: ...
