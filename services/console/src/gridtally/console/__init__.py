"""The console: pages over the APIs of the other services. It owns no facts, no topic, no database.

What a page shows, an API answers; whoever may not ask the API does not see it here.
"""
