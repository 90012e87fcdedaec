"""What both applications say."""

__all__ = [
    "ASK",
    "CONFIRMATION",
    "CONNECTOR",
    "GREETING",
    "INVOICE",
    "MENU",
    "MOMENT",
    "NOTICE",
    "PAID",
    "PROMPT",
    "REMINDER",
    "RESULT",
    "STILL_THERE",
    "THANKS",
    "WISH_FOR",
    "YEAR",
    "YOU_PRESSED",
    "YOU_SAID",
]

MENU = "Press 1 for the office."
NOTICE = "The office is open from nine to five, on every day of the week but Sunday. Thank you for calling."
MOMENT = "One moment, please."
RESULT = "Your order is on its way."
GREETING = "Welcome."
REMINDER = "Your appointment is tomorrow."
CONFIRMATION = "We have got your text."
STILL_THERE = "Are you still there?"
THANKS = "Thank you for your call. It ended with: "
ASK = "What is your number? It has three digits."
YOU_PRESSED = "You have pressed "
WISH_FOR = "What can we do for you?"
YOU_SAID = "You have said: "
YEAR = "It is the year "
PAID = "Your receipt is in the mail."

PROMPT = {"text": "You are polite."}
CONNECTOR = "https://pay.example.com/connector"
INVOICE = "https://files.example.com/invoice.pdf"
