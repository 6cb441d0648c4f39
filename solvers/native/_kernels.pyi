look_up: object
