"""Ubuntu guests from Ubuntu's own ISO, on any host and without a foreign program.

One installer ISO for the lab and a small data ISO per machine. Entry: `make_installer_iso`, `write_data_iso`.
"""
