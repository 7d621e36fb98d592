"""Every Lambda function, as plain data: the stacks make it in AWS, the sandbox on this machine, and `make docs` pages.

A function is added by an entry in `functions.py` and its handler in `lambdas/functions`; its alarms, if it has any, are
in the stack of its plane, and a state machine that it is a step of has its definition in `infra/functions`.
"""
