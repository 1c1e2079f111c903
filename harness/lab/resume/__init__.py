"""Continue machines of an earlier run: history, decision, continuation.

Entry: `Resumption`, `ResumeMode`.
"""
