"""The proxy in front of the web instances: small, of ours, for one machine.

A request is read whole before a backend sees any of it, so that a slow client holds no thread of a web instance.
It goes to one backend on a connection of its own. A connection that was never made is tried at the next backend;
a request of which a byte may have left is never sent twice: what it did is not known here. It is answered 502.
"""
