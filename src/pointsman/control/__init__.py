"""What may change while the gateway runs: its configuration, read again. It answers no request."""
