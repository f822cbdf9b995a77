"""A clearinghouse on this machine behind real SFTP. Imports nothing but clearinghouse, so that it can disagree with us."""
