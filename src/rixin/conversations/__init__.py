"""What lets a conversation go on: sealed thoughts, remembered calls, stored responses, summaries."""
