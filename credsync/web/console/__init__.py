"""The console: pages for those who help therapists and those who keep the service."""
