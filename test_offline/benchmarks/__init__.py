"""Speed and memory, measured: ours, the floor and a peer in the same run, as a table with ratios.

``python -m test_offline.benchmarks latency|backlog|idle|polling`` from the project's root.
"""
