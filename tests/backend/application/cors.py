"""The application's own CORS answers, as its front end relies on them."""

from django.http import HttpResponse


def allow_the_front_end(get_response):
    def answer(request):
        origin = request.headers.get("Origin")
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else get_response(request)
        if origin:
            response["Access-Control-Allow-Origin"] = origin
            response["Vary"] = "Origin"
        if preflight:
            response["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
            response["Access-Control-Max-Age"] = "77"
        return response

    return answer
