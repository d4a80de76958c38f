"""The chain over a real sync tool: two Syncthing engines, real processes on both sides, faults.

python3 -m test_offline.syncthing_ring --signals 300
"""
