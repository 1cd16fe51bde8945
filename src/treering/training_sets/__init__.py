"""Versioned training sets with splits and receipts."""
