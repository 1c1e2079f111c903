"""Ownership: ledger of created resources, ownership markers, lab lock.

Entry: `Ledger`, `lab_lock`. Nothing is deleted that is not in the ledger.
"""
