"""What a person runs once against a real terminal: the questions that only it answers, with small orders.

Every order is far from the market, is shown and agreed to before it is sent, and is taken back at the end.
"""
