"""The service's own thin HubSpot client.

`client` sends one call, paced and retried; `associations`, `objects`, `isolate` and `schema` know what HubSpot's
answers mean and turn them into the values of `core`; `errors` is the tree of what may go wrong.
"""
