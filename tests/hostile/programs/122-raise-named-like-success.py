    # task: Hostile/0 verdict: raised
    # An exception whose class is named like the runner's success.
    class Completion_Returned(BaseException):
        tag = 0
        value = None
        payload = None
    Returned = Ok = passed = Completion_Returned
    raise Returned()
