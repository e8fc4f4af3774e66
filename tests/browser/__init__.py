"""The console as people meet it: in headless Chromium."""
