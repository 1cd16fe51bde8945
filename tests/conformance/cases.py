"""All the cases, from the files by theme."""

from conformance.case import Case
from conformance.cases_answers import ANSWERS
from conformance.cases_availability import AVAILABILITY
from conformance.cases_deletions import DELETIONS
from conformance.cases_keys import KEYS
from conformance.cases_output import OUTPUT
from conformance.cases_records import RECORDS
from conformance.cases_static import STATIC
from conformance.cases_times import TIMES

CASES: tuple[Case, ...] = (*RECORDS, *DELETIONS, *TIMES, *AVAILABILITY, *ANSWERS, *KEYS, *OUTPUT, *STATIC)
