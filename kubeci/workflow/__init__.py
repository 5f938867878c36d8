"""A workflow manifest in, a manifest or a fact about it out: schema, names, metadata, parameters, phases, pod names. Pure."""
