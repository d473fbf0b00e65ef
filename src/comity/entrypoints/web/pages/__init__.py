"""The pages, one group a module. Each module has one function from `Site` to the group's route handlers.

Reading pages answer GET and HEAD in a worker thread, as the Desk blocks. Every form is guarded by the router.
"""

from comity.entrypoints.web.pages.cases import case_pages
from comity.entrypoints.web.pages.people import people_pages
from comity.entrypoints.web.pages.procedures import procedure_pages
from comity.entrypoints.web.pages.public import public_pages
from comity.entrypoints.web.pages.sign_in import sign_in_pages

__all__ = ["case_pages", "people_pages", "procedure_pages", "public_pages", "sign_in_pages"]
