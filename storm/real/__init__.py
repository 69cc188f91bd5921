"""Storms over real processes: killed, stopped and cut from their database at random moments, under load.

The same oracle judges them as the storm in virtual time: it reads the stand-in's log and what intake acknowledged.
"""
