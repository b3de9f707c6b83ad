from hypothesis import HealthCheck, settings

# The same examples in every run, and no time limits: a busy machine must not make a test fail.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
