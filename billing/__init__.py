"""Billing: accounts, an append-only double-entry ledger, holds, tariff and statements."""
