"""Customer identity resolution: the engine. It knows nothing of Lambda events, of the CDK or of the sandbox."""
