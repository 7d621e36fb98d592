"""One door per Lambda function: an event in, one call on the engine, an answer out."""
