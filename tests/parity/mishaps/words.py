"""What both applications say."""

__all__ = ["CONFIRMATION", "GREETING", "MENU", "MOMENT", "NOTICE", "REMINDER", "RESULT"]

MENU = "Press 1 for the office."
NOTICE = "The office is open from nine to five, on every day of the week but Sunday. Thank you for calling."
MOMENT = "One moment, please."
RESULT = "Your order is on its way."
GREETING = "Welcome."
REMINDER = "Your appointment is tomorrow."
CONFIRMATION = "We have got your text."
