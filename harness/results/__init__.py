"""Results of a run: journal, `run.json`, claims and conclusion.

Entry: `Journal`, `RunResult`, `judge_claims`. The journal is the source; everything else is computed from it.
"""
