"""Fault injection: failures and wrong answers of VMware's `vmrun`, on demand."""
