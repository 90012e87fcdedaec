"""What a type checker says of an application: mypy reads this folder, and every ignored error has to be one."""
