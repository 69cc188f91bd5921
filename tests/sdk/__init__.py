"""The stand-in judged by HubSpot's own clients, which know nothing of it, for every call the service makes."""
