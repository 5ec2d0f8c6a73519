"""The HTTP interface: one application over one installation. Rules live below; here is what belongs to HTTP itself."""
