"""Air gap: gateway, container registry, probes of the guests, judgement.

Entry: `Gateway`, `harness.airgap.judge`.
"""
