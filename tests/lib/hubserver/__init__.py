# SPDX-License-Identifier: Apache-2.0
"""A double of the Hugging Face Hub for tests. Start reading in tests/lib/hub; the modules, from the ground up:

journal   every request that came in, and how many bytes went out
rules     bad manners on order: which request is treated how
body      what an answer is made of, and how it is put on the wire
wire      sockets, requests, keep-alive, one thread a connection
repos     folders as repositories with commits
hubside   the Hub's own host: /api, /resolve
cdnside   the other host, where signed URLs lead
control   the test's own door
"""
