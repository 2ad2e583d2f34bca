"""`make bench`: Ringback measured against its peers, interleaved, with the same durability."""
