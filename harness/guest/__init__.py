"""What is known of a guest: its answers over SSH, its words on the serial line, and the checks of testinfra."""
