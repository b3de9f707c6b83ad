"""Is a server alive, what does it speak, which models has it?"""
