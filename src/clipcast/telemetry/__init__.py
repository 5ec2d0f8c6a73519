"""What can be seen of a running Clipcast: metrics for Prometheus, traces for OpenTelemetry."""
