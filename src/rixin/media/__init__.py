"""Images and videos of requests: fetched under guard, decoded apart, handed on in a form that engines take."""
