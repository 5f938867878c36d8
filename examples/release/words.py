"""Count words."""


def most_frequent(text, count):
    """Give the most frequent words of a text, with how often each stands there."""
    words = text.split()
    counted = {(word, words.count(word)) for word in words}
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))[:count]
