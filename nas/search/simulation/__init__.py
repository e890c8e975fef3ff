"""Searches whose trainings take no time: the real engine, sampler and ledger over a stated world of trainings."""
