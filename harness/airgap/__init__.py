"""The air gap: gateway, OCI registry and probes of the lab network, and the judgement of what they saw.

Entry: `Gateway`, `harness.airgap.judge`.
"""
