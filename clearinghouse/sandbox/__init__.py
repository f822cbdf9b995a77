"""A clearinghouse on this machine behind real SFTP. Imports only clearinghouse, so that it can disagree with us."""
