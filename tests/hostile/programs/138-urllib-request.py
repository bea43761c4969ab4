    # task: Hostile/0 verdict: raised
    # Fetches a page.
    import urllib.request
    return urllib.request.urlopen("http://127.0.0.1:9/").read()
