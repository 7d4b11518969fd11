"""The errors a user can meet. Each message names the thing, the reason and the next step."""


class HuaxiangError(Exception):
    """Anything the user can act on: the command line prints it as one sentence, without a traceback."""


class BadConfiguration(HuaxiangError):
    """A home, contract, source mapping or tag file says something that cannot be used."""


class MissingPartition(HuaxiangError):
    """A step was asked for before the step it reads from has run, or for a day without data."""


class BrokenConservation(HuaxiangError):
    """Rows or money went in and did not come out: nothing may be published."""


class GateFailed(HuaxiangError):
    """A critical data-quality check failed: the run stops and the released portrait stays."""


class TryAgain(HuaxiangError):
    """It may well succeed when it is run again later; all other errors come again until somebody does something."""


class HomeBusy(TryAgain):
    """Another command is writing to this home."""


class StaleWriter(HuaxiangError):
    """A newer run has taken the home over: this one may no longer publish."""


class DamagedWarehouse(HuaxiangError):
    """dbt's work file could not be read and was removed: the next run makes it anew."""


class DiskFull(HuaxiangError):
    """The home's disk is full: nothing half-written counts, and the command goes on once there is space."""


class NothingDue(HuaxiangError):
    """The home's data have ended before the day: there is nothing to do, which is no failure."""


class PortInUse(HuaxiangError):
    """Another program listens where a service would."""


class MlflowAway(TryAgain):
    """MLflow does not answer: nothing is promoted, and what it is to keep waits."""
