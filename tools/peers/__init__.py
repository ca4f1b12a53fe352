"""What `tools/benchmark-peers.py` is made of; `tools/peers/README.md` says how it measures."""
