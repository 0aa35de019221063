"""The whole B2BUA on virtual time, from a seed: edges, call-control pods, a store, callers and callees.

A run is `plan.draw(seed)`, played by a `World`, judged by the functions in `invariants`. Everything that can
be the product's own code is: cores, delivery, pods, the memory store. Simulated are processes (they die and
stall), the streams between edges and pods, the connections to the store, the network, and the people.
"""
