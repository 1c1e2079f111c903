"""What only a Windows shows."""
