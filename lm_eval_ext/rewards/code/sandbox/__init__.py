"""What runs in the processes of a program and its tests: nothing but the standard library.

main        the tests' process: isolates itself, forks the program's process, runs the tests
program     the program's process: runs the program, calls its functions for the tests
wire        values between the two: plain data
isolation   limits, files, network, system calls
"""
